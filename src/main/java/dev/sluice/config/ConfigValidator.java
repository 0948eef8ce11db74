package dev.sluice.config;

import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Event;
import jakarta.enterprise.event.Observes;

import io.quarkus.runtime.StartupEvent;
import io.quarkus.runtime.configuration.ConfigurationException;

/** Asks everybody at start what is wrong with the settings, and stops the start with all of it at once. */
@ApplicationScoped
class ConfigValidator {

    void validate(@Observes @Priority(1) StartupEvent started, Event<ConfigProblems> problemsEvent) {
        var problems = new ConfigProblems();
        problemsEvent.fire(problems);
        if (!problems.lines().isEmpty()) {
            throw new ConfigurationException("Sluice does not start with these settings:\n  "
                    + String.join("\n  ", problems.lines()));
        }
    }
}
