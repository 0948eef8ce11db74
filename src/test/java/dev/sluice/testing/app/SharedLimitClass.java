package dev.sluice.testing.app;

import jakarta.enterprise.context.ApplicationScoped;

import dev.sluice.api.RateLimited;

/** A class whose methods share a window. */
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
