package dev.sluice.testing.suites;

import org.junit.platform.suite.api.ExcludePackages;
import org.junit.platform.suite.api.IncludeClassNamePatterns;
import org.junit.platform.suite.api.SelectClasses;
import org.junit.platform.suite.api.SelectPackages;
import org.junit.platform.suite.api.Suite;

/** Tests of a running application that {@link LlmApplicationSuite} does not have. */
@Suite
@SelectPackages({"dev.sluice.service", "dev.sluice.interceptor"})
@SelectClasses(names = "dev.sluice.http.RateLimitFilterTest")
@ExcludePackages({"dev.sluice.service.llm", "dev.sluice.service.observability", "dev.sluice.service.auth",
        "dev.sluice.service.api", "dev.sluice.service.console", "dev.sluice.service.overview"})
@IncludeClassNamePatterns(".*Test")
class HttpApplicationSuite {
}
