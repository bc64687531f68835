import { describe, it } from "vitest";
import { findService, type ServiceName } from "./find-service.ts";

export { findService, type ServiceName };

/**
 * A `describe` whose tests start an installed program. Where it is absent they are skipped and the closing summary
 * names them; under STARCAST_REQUIRE_SERVICES=1 they fail instead.
 */
export function describeWith(name: ServiceName, title: string, tests: (path: string) => void): void {
  const path = findService(name);
  if (path !== undefined) {
    describe(title, () => tests(path));
  } else if (process.env["STARCAST_REQUIRE_SERVICES"] === "1") {
    describe(title, () => {
      it(`finds ${name}`, () => {
        throw new Error(
          `Expected ${name} to be installed because STARCAST_REQUIRE_SERVICES=1, found it nowhere on PATH`,
        );
      });
    });
  } else {
    describe.skip(`${title} (needs ${name})`, () => tests(name));
  }
}
