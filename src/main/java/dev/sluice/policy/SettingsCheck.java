package dev.sluice.policy;

import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Event;
import jakarta.enterprise.event.Observes;

import dev.sluice.limit.SettingsProblems;
import io.quarkus.runtime.StartupEvent;
import io.quarkus.runtime.configuration.ConfigurationException;

/** Asks everybody at start what is wrong with the settings, and stops the start with all of it at once. */
@ApplicationScoped
class SettingsCheck {

    void check(@Observes @Priority(1) StartupEvent started, Event<SettingsProblems> everybody) {
        var problems = new SettingsProblems();
        everybody.fire(problems);
        if (!problems.lines().isEmpty()) {
            throw new ConfigurationException("Sluice does not start with these settings:\n  "
                    + String.join("\n  ", problems.lines()));
        }
    }
}
