package dev.sluice.redis;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class EvictionPolicyCheckTest {

    @Test
    void readsLinesOfInfo() {
        var info = "# Memory\r\nused_memory:1\r\nmaxmemory:0\r\nmaxmemory_human:0B\r\nmaxmemory_policy:allkeys-lru\r\n";
        assertThat(EvictionPolicyCheck.field(info, "maxmemory")).isEqualTo("0");
        assertThat(EvictionPolicyCheck.field(info, "maxmemory_policy")).isEqualTo("allkeys-lru");
        assertThat(EvictionPolicyCheck.field(info, "max")).isNull();
    }
}
