/** What a client of the store asked for. A `mark` writes a field of its own name, once. */
export type Action =
  | { readonly kind: 'create' }
  | { readonly kind: 'increment' }
  | { readonly kind: 'mark'; readonly name: string }
  | { readonly kind: 'read' }
  | { readonly kind: 'delete' };

/**
 * What the client was told. `absent`: there is no such session. `refused`: the store failed and nothing was done.
 * `unknown`: the store failed and nobody knows.
 */
export type Outcome =
  | { readonly kind: 'ok'; readonly count?: number; readonly marks?: ReadonlySet<string> }
  | { readonly kind: 'absent' | 'refused' | 'unknown' };

/** One call of one client on one session, between two instants in milliseconds. */
export interface Call {
  readonly session: string;
  readonly action: Action;
  readonly outcome: Outcome;
  readonly begin: number;
  readonly end: number;
}

/** A stretch of time, in milliseconds. */
export interface Span {
  readonly begin: number;
  readonly end: number;
}

/** What somebody did to the store meanwhile, who is allowed to: the checker takes it into account. */
export interface Events {
  /** All sessions were removed, at one instant within each span. */
  readonly wiped?: readonly Span[];
  /** The store went back to a state of the span's beginning, or of any instant within. */
  readonly undone?: readonly Span[];
}

/**
 * Why the calls cannot have happened to sessions that keep their promises, one line each; none if they can. The
 * promises: what was acknowledged stays, what was refused never happened, what is unknown happened once or not at all,
 * an ended session stays ended, and a session is absent only where somebody ended it.
 */
export function violations(
  calls: readonly Call[],
  { wiped = [], undone = [] }: Events = {},
): string[] {
  const bySession = new Map<string, Call[]>();
  for (const call of calls) {
    const binding = undone.some((span) => overlap(call, span)) ? afterUndoing(call) : call;
    const others = bySession.get(call.session);
    if (others) others.push(binding);
    else bySession.set(call.session, [binding]);
  }
  return [...bySession].flatMap(([session, ofOne]) =>
    [...sessionViolations(ofOne, wiped)].map((violation) => `${session}: ${violation}`),
  );
}

/** The same call where its effect, if it had one, may be gone, so that its answer binds nobody. */
function afterUndoing(call: Call): Call {
  return call.outcome.kind === 'ok' ? { ...call, outcome: { kind: 'unknown' } } : call;
}

function* sessionViolations(calls: readonly Call[], wiped: readonly Span[]): Generator<string> {
  const created = calls.find(({ action }) => action.kind === 'create');
  if (created === undefined) return yield 'somebody used it whom nobody had told of it';
  const answered = calls.filter((call) => call !== created && call.outcome.kind === 'ok');
  const deletes = calls.filter(({ action }) => action.kind === 'delete');

  const ended = deletes.filter(({ outcome }) => outcome.kind === 'ok');
  if (ended.length > 1) yield `ended ${ended.length} times`;
  const surelyGone = [...ended, ...wiped.filter((span) => precedes(created, span))];
  for (const call of answered) {
    const before = surelyGone.find((end) => precedes(end, call));
    if (before) yield `alive at ${text(call)}, ended until ${Math.round(before.end)}`;
  }

  const maybeGone = [
    ...deletes.filter(tookPlace),
    ...wiped,
    ...(created.outcome.kind === 'ok' ? [] : [created]),
  ];
  for (const call of calls.filter(({ outcome }) => outcome.kind === 'absent')) {
    if (!maybeGone.some((end) => end !== call && end.begin <= call.end))
      yield `absent at ${text(call)}, ended by nobody`;
  }

  yield* countViolations(calls);
  yield* markViolations(calls);
}

function* countViolations(calls: readonly Call[]): Generator<string> {
  const increments = calls.filter(({ action }) => action.kind === 'increment');
  const sums = new Set<number>();
  for (const call of calls) {
    if (call.outcome.kind !== 'ok' || call.outcome.count === undefined) continue;
    const { count } = call.outcome;
    const least = increments.filter(
      (one) => one.outcome.kind === 'ok' && (one === call || precedes(one, call)),
    ).length;
    const most = increments.filter((one) => tookPlace(one) && one.begin <= call.end).length;
    if (count < least) yield `${least} increments acknowledged, counted ${count} at ${text(call)}`;
    if (count > most) yield `${most} increments sent, counted ${count} at ${text(call)}`;
    if (call.action.kind !== 'increment') continue;
    if (sums.has(count)) yield `two increments answered ${count}`;
    sums.add(count);
  }
}

function* markViolations(calls: readonly Call[]): Generator<string> {
  for (const mark of calls) {
    if (mark.action.kind !== 'mark') continue;
    const { name } = mark.action;
    for (const call of calls) {
      if (call.outcome.kind !== 'ok' || call.outcome.marks === undefined) continue;
      const seen = call.outcome.marks.has(name);
      if (!seen && mark.outcome.kind === 'ok' && precedes(mark, call))
        yield `${name} lost at ${text(call)}`;
      if (seen && !(tookPlace(mark) && mark.begin <= call.end))
        yield `${name} ${mark.outcome.kind}, and there at ${text(call)}`;
    }
  }
}

/** It did, or may have done so at any time since it began. */
function tookPlace({ outcome }: Call): boolean {
  return outcome.kind === 'ok' || outcome.kind === 'unknown';
}

function precedes(first: Span, second: Span): boolean {
  return first.end < second.begin;
}

function overlap(one: Span, other: Span): boolean {
  return !precedes(one, other) && !precedes(other, one);
}

function text({ action, begin, end }: Call): string {
  return `${action.kind} ${Math.round(begin)} to ${Math.round(end)}`;
}
