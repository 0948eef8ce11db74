package dev.sluice.service.api;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicLong;

import org.junit.jupiter.api.Test;

class AnonymousIdentifiersTest {

    @Test
    void numberOfIdentifiersPerHourIsBounded() {
        var hour = new AtomicLong(500_000);
        var identifiers = new AnonymousIdentifiers(3, hour::get);
        for (int i = 0; i < 100; i++) {
            assertThat(identifiers.admit("id-" + i % 10)).isEqualTo(i % 10 < 3);
        }
        hour.incrementAndGet();
        assertThat(identifiers.admit("id-9")).isTrue();
        assertThat(identifiers.admit("id-8")).isTrue();
        assertThat(identifiers.admit("id-7")).isTrue();
        assertThat(identifiers.admit("id-0")).isFalse();
        assertThat(identifiers.admit("id-9")).isTrue();
    }
}
