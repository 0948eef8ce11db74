package dev.sluice.service.api;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicLong;

import org.junit.jupiter.api.Test;

class AnonymousIdentifiersTest {

    @Test
    void numberOfIdentifiersPerAddressAndHourIsBounded() {
        var hour = new AtomicLong(500_000);
        var identifiers = new AnonymousIdentifiers(3, hour::get);
        for (int i = 0; i < 100; i++) {
            assertThat(identifiers.admit("ip:192.0.2.1", "id-" + i % 10)).isEqualTo(i % 10 < 3);
        }
        assertThat(identifiers.admit("ip:192.0.2.2", "id-9")).as("of another address").isTrue();
        hour.incrementAndGet();
        assertThat(identifiers.admit("ip:192.0.2.1", "id-9")).isTrue();
        assertThat(identifiers.admit("ip:192.0.2.1", "id-8")).isTrue();
        assertThat(identifiers.admit("ip:192.0.2.1", "id-7")).isTrue();
        assertThat(identifiers.admit("ip:192.0.2.1", "id-0")).isFalse();
        assertThat(identifiers.admit("ip:192.0.2.1", "id-9")).isTrue();
    }
}
