package dev.sluice.service.token;

import java.util.Map;
import java.util.Optional;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;

/** Settings of admin tokens with a scope. */
@ConfigMapping(prefix = "rate-limit")
public interface AdminTokenConfig {

    /** Admin tokens with a scope, by a name of your choice, which the audit log shows. */
    Map<String, AdminToken> adminTokens();

    /** One admin token. */
    interface AdminToken {

        /** SHA-256 of the token, in hexadecimal. */
        Optional<String> sha256();

        /** {@code read}: queries only; {@code write}: changes too. */
        @WithDefault("read")
        AdminScope scope();

        /** Team to whose keys, members and spend the token is restricted; not restricted by default. */
        Optional<String> team();
    }
}
