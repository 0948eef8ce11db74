package dev.sluice.http;

import java.util.EnumMap;
import java.util.Map;

import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;

import dev.sluice.identity.RejectedCredential;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.StartupEvent;

/** Counts rejected credentials by kind and reason. All counters are registered at start, so that each of them starts at zero. */
@Singleton
class CredentialMetrics {

    private final Map<RejectedCredential, Counter> counters = new EnumMap<>(RejectedCredential.class);

    CredentialMetrics(MeterRegistry registry) {
        for (var credential : RejectedCredential.values()) {
            counters.put(credential, Counter.builder("rate_limit_credentials_rejected")
                    .description("Credentials rejected: API keys, JWTs, tokens of Sluice's own endpoints and provider keys")
                    .tag("kind", credential.kind()).tag("reason", credential.reason()).register(registry));
        }
    }

    /** Creates this bean at start, so that the metric is there before the first rejection. */
    void start(@Observes StartupEvent started) {
        // the constructor has registered the counters
    }

    void count(RejectedCredential credential, int times) {
        counters.get(credential).increment(times);
    }
}
