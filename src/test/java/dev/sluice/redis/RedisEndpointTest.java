package dev.sluice.redis;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import io.vertx.core.Future;

/** Host names with an underscore and IPv6 addresses, which {@link java.net.URI} and Vert.x do not read in each form. */
class RedisEndpointTest {

    @ParameterizedTest
    @CsvSource({"redis://my_redis:7/2,my_redis,redis://127.0.0.1:7/2", "redis://my_redis,my_redis,redis://127.0.0.1",
            "rediss://u:p_w@my_redis:7?db=2,my_redis,rediss://u:p_w@127.0.0.1:7?db=2",
            "redis://u:p_w@redis:7/2,redis,redis://u:p_w@redis:7/2", "redis://[::1]:7/2,[::1],redis://[::1]:7/2",
            "unix:///run/my_redis.sock,'',unix:///run/my_redis.sock"})
    void hostsWithUnderscoresAreResolved(String endpoint, String host, String resolved) {
        assertThat(RedisEndpoint.host(endpoint)).isEqualTo(host);
        var future = RedisEndpoint.resolve(endpoint, name -> {
            assertThat(name).isEqualTo("my_redis");
            return Future.succeededFuture(InetAddress.getLoopbackAddress());
        });
        assertThat(future.result()).isEqualTo(resolved);
        assertThat(RedisEndpoint.resolve(RedisEndpoint.encode(endpoint),
                name -> Future.succeededFuture(InetAddress.getLoopbackAddress())).result()).isEqualTo(resolved);
    }

    @ParameterizedTest
    @CsvSource({"redis://:secret@redis.example:7000/2?password=secret,redis.example:7000", "redis://redis,redis:6379",
            "rediss://user:secret@my_redis:7,my_redis:7", "redis://:secret@[::1]:7,[::1]:7",
            "unix:///run/redis.sock?password=secret,/run/redis.sock", "redis://:sec/ret@redis:7,", "redis://:sec@ret@redis:7,",
            "redis:/secret,"})
    void logHasNoSecrets(String endpoint, String logged) {
        assertThat(RedisEndpoint.logAddress(RedisEndpoint.encode(endpoint)).orElse(null)).isEqualTo(logged);
    }

    @Test
    void addressesReplaceHostAndPort() {
        assertThat(RedisEndpoint.withAddress("redis://u:p@my_redis:7/2", RedisEndpoint.address("::1", "8")))
                .isEqualTo("redis://u:p@[::1]:8/2");
        assertThat(RedisEndpoint.withAddress("redis://[::1]", RedisEndpoint.address("a_b", "8"))).isEqualTo("redis://a_b:8");
    }

    @ParameterizedTest
    @CsvSource(nullValues = "-", value = {"redis://u:p@s:1/2, -, -, redis://u:p@s:1",
            "redis://s:1/2, -, a b/@:ü, redis://:a%20b%2F%40%3A%C3%BC@s:1",
            "rediss://u:p@[::1]:1, me, x, rediss://me:x@[::1]:1", "redis://s:1?db=2, -, $1, redis://:%241@s:1"})
    void sentinelHasItsOwnCredentialsAndNoDatabase(String endpoint, String user, String password, String expected) {
        assertThat(RedisEndpoint.ofSentinel(endpoint, user, password)).isEqualTo(expected);
    }
}
