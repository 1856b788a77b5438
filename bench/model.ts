/** Prints the path of SmolLM2-135M-Instruct, fetched where it is not there yet; nothing where it cannot be had. */
import { obtainDemoModel } from '../src/cli/demo/demoModel.js';

const report = { say: (line: string) => console.error(line), progress: () => undefined };
void obtainDemoModel('', report, new AbortController().signal).then((model) => console.log(model.pretrained ? model.path : ''));
