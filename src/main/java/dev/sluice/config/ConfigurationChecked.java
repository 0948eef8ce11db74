package dev.sluice.config;

/** Ends a start that was to check the configuration only; it is valid. The message describes it. */
public final class ConfigurationChecked extends RuntimeException {

    private static final long serialVersionUID = 1;

    ConfigurationChecked(String message) {
        super(message);
    }
}
