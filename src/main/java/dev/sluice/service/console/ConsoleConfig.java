package dev.sluice.service.console;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;

/** Settings of the console. */
@ConfigMapping(prefix = "rate-limit.console")
public interface ConsoleConfig {

    /** Serves the console at {@code /q/console/}. */
    @WithDefault("true")
    boolean enabled();
}
