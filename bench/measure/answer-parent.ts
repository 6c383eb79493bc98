import type { Reply } from './child-process.ts';

/** The other side of a `Child`: answers whatever its parent asks, and ends when the parent does. */
export function answerParent<Question>(answer: (question: Question) => Promise<unknown>): void {
  const reply = (message: Reply) => process.send?.(message);
  process.once('disconnect', () => process.exit());
  process.on('message', (question) => {
    answer(question as Question).then(
      (answered) => reply({ answer: answered }),
      (error: Error) => reply({ error: error.stack ?? error.message }),
    );
  });
}
