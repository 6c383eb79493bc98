/** Below that nobody sees a request travel. */
const LEAST_MS = 350;

/** Shows a request on its way from the browser to the store; what is answered shows it on its way back. */
export function depart(): (arrived: boolean) => Promise<void> {
  const began = performance.now();
  setFlight('out');
  return async (arrived) => {
    const left = LEAST_MS - (performance.now() - began);
    if (left > 0 && arrived) await new Promise((resolve) => setTimeout(resolve, left));
    setFlight(arrived ? 'back' : '');
  };
}

/** What is under way goes on while the lanes are replaced. */
export function keepFlight(replace: () => void): void {
  const { className } = document.querySelector('.lanes') ?? {};
  replace();
  const lanes = document.querySelector('.lanes');
  if (lanes && className !== undefined) lanes.className = className;
}

/** The lanes may be other elements by then: they are looked for when they are needed. */
function setFlight(state: string): void {
  const lanes = document.querySelector('.lanes');
  if (lanes) lanes.className = `lanes ${state}`.trim();
}
