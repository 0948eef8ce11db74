package dev.sluice.config;

import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Event;
import jakarta.enterprise.event.Observes;

import io.quarkus.runtime.StartupEvent;
import io.quarkus.runtime.configuration.ConfigurationException;

/** Collects the problems of all settings at start, and aborts the start if there are any. */
@ApplicationScoped
class ConfigValidator {

    void validate(@Observes @Priority(1) StartupEvent started, Event<ConfigProblems> problemsEvent) {
        var problems = new ConfigProblems();
        problemsEvent.fire(problems);
        if (!problems.lines().isEmpty()) {
            throw new ConfigurationException("Invalid configuration; Sluice does not start:\n  "
                    + String.join("\n  ", problems.lines()));
        }
    }
}
