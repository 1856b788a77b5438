// A reporter for vitest that writes the counts that scripts/test.mjs adds up, and the names of failed tests, to the file that
// TEST_REPORT names. Vitest's own JSON does not mention a worker that died with its tests: the test file is then missing, and so
// is the reason.
import { writeFileSync } from 'node:fs';

export default class TestReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const count = (state) => tests.filter((test) => test.result().state === state).length;
    const failures = [
      ...tests
        .filter((test) => test.result().state === 'failed')
        .map((test) => describe(`${test.module.relativeModuleId} > ${test.fullName}`, test.result().errors)),
      ...modules
        .filter((module) => module.errors().length > 0)
        .map((module) => describe(module.relativeModuleId, module.errors())),
      ...modules
        .flatMap((module) => [...module.children.allSuites()])
        .filter((suite) => suite.errors().length > 0)
        .map((suite) => describe(`${suite.module.relativeModuleId} > ${suite.fullName}`, suite.errors())),
      ...modules
        .filter((module) => ['queued', 'pending'].includes(module.state()))
        .map((module) => `${module.relativeModuleId} did not end: its process died or hung`),
      ...unhandledErrors.map((error) => describe('outside of any test', [error])),
    ];
    writeFileSync(process.env.TEST_REPORT, JSON.stringify({ passed: count('passed'), skipped: count('skipped'), failures }));
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
