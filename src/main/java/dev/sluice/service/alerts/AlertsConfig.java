package dev.sluice.service.alerts;

import java.util.List;
import java.util.Optional;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;

/** Settings of the alerts about limits that are nearly or completely used. */
@ConfigMapping(prefix = "rate-limit.alerts")
public interface AlertsConfig {

    /** URL that receives the alerts of subjects that name none of their own. */
    Optional<String> url();

    /** Secret with which alerts are signed: base64 of 24 to 64 bytes, with or without {@code whsec_}. Without it, none are sent. */
    Optional<String> secret();

    /** Shares of a limit, in percent, at which alerts are sent. 1 to 20 different whole numbers from 1 to 100. */
    @WithDefault("50,80,95,100")
    List<String> thresholds();

    /** {@code true}: alerts may be sent over http, without encryption, and to internal addresses that the API sets. */
    @WithDefault("false")
    boolean insecure();
}
