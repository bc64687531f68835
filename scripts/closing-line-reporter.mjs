// Ends a run with one plain line that any machine can read, after the names of the tests that did not run.

/** Counts tests by result and prints `N passed, N failed, N skipped` last. */
export default class ClosingLineReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    const skipped = [];
    for (const module of modules) {
      // A file that cannot be loaded has no tests to fail: it counts as one.
      if (module.state() === "failed" && module.children.size === 0) counts.failed += 1;
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
