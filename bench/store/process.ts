import { answerParent } from '../measure/answer-parent.ts';
import { cpuBetween, ownCpu } from '../measure/cpu.ts';
import { measureLatency, measureThroughput } from '../measure/latency.ts';
import type { OpenContender } from './contender.ts';
import type { StoreAnswers, StoreQuestion } from './contender-process.ts';
import { contenders } from './contenders.ts';

// One contender in a process of its own, so that its CPU is its own and no other contender's code or garbage slows it.
// Between its turns it has no connection.
const name = process.argv[2];
const contender = contenders.find((one) => one.name === name);
if (contender === undefined) throw new Error(`There is no contender ${name}`);
let open: OpenContender | undefined;

answerParent<StoreQuestion>(async (question) => {
  if (question.do === 'open') {
    open = await contender.open(question.redisUrl, question.sessions);
    if (!(await open.run(0))) throw new Error('It finds no session');
    return;
  }
  if (open === undefined) throw new Error('It is not its turn');
  const { run, close } = open;
  if (question.do === 'close') {
    open = undefined;
    await close();
    return;
  }
  const before = ownCpu();
  const measured =
    question.do === 'one by one'
      ? await measureLatency(run, question)
      : await measureThroughput(run, question);
  const cpu = cpuBetween(before, ownCpu());
  return { ...measured, cpu } satisfies StoreAnswers[typeof question.do];
});
