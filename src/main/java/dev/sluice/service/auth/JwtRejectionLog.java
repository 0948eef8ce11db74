package dev.sluice.service.auth;

import java.util.EnumMap;
import java.util.Map;

import org.jboss.logging.Logger;

import dev.sluice.identity.RejectedCredential;
import dev.sluice.store.ThrottledLog;

/** Logs why JWTs are rejected, at most one line a minute for each reason. Never logs a token. Thread-safe. */
final class JwtRejectionLog {

    private static final Logger LOG = Logger.getLogger(JwtRejectionLog.class);

    private final Map<RejectedCredential, ThrottledLog> byReason = new EnumMap<>(RejectedCredential.class);

    JwtRejectionLog() {
        for (var credential : RejectedCredential.values()) {
            byReason.put(credential, new ThrottledLog());
        }
    }

    void log(JwtRejection rejection) {
        byReason.get(rejection.credential()).log(times -> LOG.warnf("JWT rejected reason=%s occurrences=%d %s",
                rejection.credential().reason(), times, rejection.detail()));
    }
}
