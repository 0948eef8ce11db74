package dev.sluice.service.console;

import static org.junit.jupiter.api.Assumptions.abort;

import org.junit.jupiter.api.Test;

/** Says in a build without the profile {@code browser} that the console is not tested in a browser, and how it is. */
class BrowserTestsHintIT {

    @Test
    void consoleIsTestedByAProfile() {
        var line = "Skipped: tests of the console in a browser; run ./mvnw -Pbrowser verify"
                + Chromium.find().map(program -> " (" + program + ")")
                        .orElse(" with Chromium installed: " + Chromium.NOT_FOUND);
        System.out.println(line);
        abort(line);
    }
}
