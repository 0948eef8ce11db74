package dev.sluice.testing.suites;

import org.junit.platform.suite.api.IncludeClassNamePatterns;
import org.junit.platform.suite.api.SelectClasses;
import org.junit.platform.suite.api.SelectPackages;
import org.junit.platform.suite.api.Suite;

/**
 * Tests of a running application: LLM calls, the HTTP API, the console, credentials and observability. Runs in a process of its own beside
 * {@link HttpApplicationSuite}.
 */
@Suite
@SelectPackages({"dev.sluice.service.llm", "dev.sluice.service.observability", "dev.sluice.service.auth",
        "dev.sluice.service.api", "dev.sluice.service.console", "dev.sluice.service.overview", "dev.sluice.llm.client"})
@SelectClasses(names = "dev.sluice.llm.limit.LateAdmissionTest")
@IncludeClassNamePatterns(".*Test")
class LlmApplicationSuite {
}
