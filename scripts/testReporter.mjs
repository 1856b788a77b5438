// A reporter for vitest that writes the counts that scripts/test.mjs adds up, the names of failed tests, and the test files whose
// process died, to the file that TEST_REPORT names. Vitest's own JSON does not mention a worker that died with its tests: the test file is then missing, and so
// is the reason.
import { writeFileSync } from 'node:fs';

export default class TestReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const died = modules.filter((module) => ['queued', 'pending'].includes(module.state()));
    const ended = modules.filter((module) => !died.includes(module));
    const tests = ended.flatMap((module) => [...module.children.allTests()]);
    const count = (state) => tests.filter((test) => test.result().state === state).length;
    const failures = [
      ...tests
        .filter((test) => test.result().state === 'failed')
        .map((test) => describe(`${test.module.relativeModuleId} > ${test.fullName}`, test.result().errors)),
      ...ended.filter((module) => module.errors().length > 0).map((module) => describe(module.relativeModuleId, module.errors())),
      ...ended
        .flatMap((module) => [...module.children.allSuites()])
        .filter((suite) => suite.errors().length > 0)
        .map((suite) => describe(`${suite.module.relativeModuleId} > ${suite.fullName}`, suite.errors())),
      // The death of a worker is reported as an error outside of any test, too.
      ...unhandledErrors
        .filter((error) => died.length === 0 || !String(error.message).startsWith('[vitest-pool'))
        .map((error) => describe('outside of any test', [error])),
    ];
    const result = {
      passed: count('passed'),
      skipped: count('skipped'),
      failures,
      died: died.map((module) => module.relativeModuleId),
    };
    writeFileSync(process.env.TEST_REPORT, JSON.stringify(result));
  }
}

function describe(where, errors) {
  return `${where}\n    ${errors
    .map((error) =>
      String(error.message ?? error)
        .split('\n', 3)
        .join('\n    '),
    )
    .join('\n    ')}`;
}
