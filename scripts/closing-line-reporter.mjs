// Ends a run with one plain line that any machine can read, after the names of the tests that did not run.

/** Counts tests by result and prints `N passed, N failed, N skipped` last. */
export default class ClosingLineReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    const skipped = [];
    for (const module of modules) {
      // A file that cannot be loaded, or a hook that fails, has no test to fail: its error counts as one.
      counts.failed += module.errors().length;
      for (const suite of module.children.allSuites()) counts.failed += suite.errors().length;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        counts[state === "pending" ? "skipped" : state] += 1;
        if (state === "skipped") skipped.push(`  skipped: ${module.relativeModuleId} > ${test.fullName}`);
      }
    }
    if (skipped.length > 0) console.log(`\n${skipped.join("\n")}`);
    console.log(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  }
}
