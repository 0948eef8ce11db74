package dev.sluice.identity;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.redis.HashTags;

class CallerIdentifiersTest {

    @ParameterizedTest
    @ValueSource(strings = {"user:alice", "team:growth", "team:growth/user:alice", "org:acme", "ip:203.0.113.9",
            "key:0hon5mmbhoetwjhr7oe"})
    void callersAreReserved(String identifier) {
        assertThat(CallerIdentifiers.contains(identifier)).isTrue();
        assertThat(CallerIdentifiers.contains(HashTags.inSlotOf("org:other", identifier))).as("as a cluster stores it")
                .isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"user123", "key:basket", "teams", "chained", "app:shop"})
    void othersAreNot(String identifier) {
        assertThat(CallerIdentifiers.contains(identifier)).isFalse();
    }
}
