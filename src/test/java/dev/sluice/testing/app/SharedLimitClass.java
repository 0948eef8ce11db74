package dev.sluice.testing.app;

import jakarta.enterprise.context.ApplicationScoped;

import dev.sluice.api.RateLimited;

/** Class-level limit with a resource: all methods share one window. */
@ApplicationScoped
@RateLimited(value = "1/minute", resource = "shared-by-class")
public class SharedLimitClass {

    public String one() {
        return "one";
    }

    public String two() {
        return "two";
    }
}
