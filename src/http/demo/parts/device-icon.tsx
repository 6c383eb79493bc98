/** A drawing of the kind of device that a label tells of. It says nothing that the label does not. */
export function DeviceIcon({ label }: { readonly label: string }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={drawings[kindOf(label)]} />
    </svg>
  );
}

const drawings = {
  phone: 'M8 3h8a1 1 0 0 1 1 1v16a1 1 0 0 1-1 1H8a1 1 0 0 1-1-1V4a1 1 0 0 1 1-1zM11 18h2',
  tablet: 'M6 3h12a1 1 0 0 1 1 1v16a1 1 0 0 1-1 1H6a1 1 0 0 1-1-1V4a1 1 0 0 1 1-1zM11 18h2',
  computer: 'M6 5h12a1 1 0 0 1 1 1v9H5V6a1 1 0 0 1 1-1zM2 19h20l-2-4H4z',
  program:
    'M4 5h16a1 1 0 0 1 1 1v12a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V6a1 1 0 0 1 1-1zM7 10l3 2.5L7 15M12 15h5',
};

function kindOf(label: string): keyof typeof drawings {
  if (/ on (Android|iOS)$/.test(label)) return 'phone';
  if (/ on iPadOS$/.test(label)) return 'tablet';
  return / on /.test(label) ? 'computer' : 'program';
}
