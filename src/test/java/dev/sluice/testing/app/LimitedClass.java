package dev.sluice.testing.app;

import jakarta.enterprise.context.ApplicationScoped;

import dev.sluice.api.RateLimited;

/** Class-level limit without resource: each method has its own window. */
@ApplicationScoped
@RateLimited("1/minute;100/hour")
public class LimitedClass {

    public String one() {
        return "one";
    }

    public String two() {
        return "two";
    }

    @RateLimited("3/minute")
    public String own() {
        return "own";
    }
}
