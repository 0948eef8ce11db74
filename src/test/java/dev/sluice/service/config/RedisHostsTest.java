package dev.sluice.service.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.Optional;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.config.ConfigProblems;
import dev.sluice.redis.RedisEndpoint;
import io.smallrye.config.SmallRyeConfigBuilder;
import io.vertx.core.Vertx;

class RedisHostsTest {

    private static RedisHostsFromEnvironment hosts(Map<String, String> settings) {
        var config = new SmallRyeConfigBuilder().withMapping(RedisHostsFromEnvironment.Settings.class)
                .withValidateUnknown(false);
        settings.forEach(config::withDefaultValue);
        return new RedisHostsFromEnvironment(config.build().getConfigMapping(RedisHostsFromEnvironment.Settings.class),
                "standalone", Optional.ofNullable(settings.get("quarkus.redis.rate-limit.hosts")));
    }

    private static String problems(RedisHostsFromEnvironment hosts) {
        var vertx = Vertx.vertx();
        try {
            var problems = new ConfigProblems();
            hosts.validate(problems, vertx);
            return String.join("\n", problems.lines());
        } finally {
            vertx.close();
        }
    }

    @ParameterizedTest
    @CsvSource({"my_redis,redis://my_redis:6379/0", "::1,redis://[::1]:6379/0", "[::1],redis://[::1]:6379/0",
            "fd00::7:1,redis://[fd00::7:1]:6379/0", "10.0.0.1,redis://10.0.0.1:6379/0",
            "redis.local,redis://redis.local:6379/0",
            "_redis._tcp.local,redis://_redis._tcp.local:6379/0"})
    void hostNamesAndAddresses(String host, String url) {
        var hosts = hosts(Map.of("rate-limit.redis.host", host));
        assertThat(problems(hosts)).isEmpty();
        assertHost(hosts, url);
    }

    /** Asserts that the client library can read the only host. */
    private static void assertHost(RedisHostsFromEnvironment hosts, String url) {
        assertThat(hosts.getHosts()).singleElement().satisfies(uri -> {
            assertThat(uri).hasToString(RedisEndpoint.encode(url));
            assertThat(uri.getHost()).isNotNull().doesNotContain("_");
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"redis://my_redis:6380/2", "redis://user:pass_word@my_redis", "rediss://my_redis:1",
            "redis://[::1]:6380"})
    void urlsOfHosts(String url) {
        var hosts = hosts(Map.of("rate-limit.redis.hosts", url));
        assertThat(problems(hosts)).isEmpty();
        assertHost(hosts, url);
    }

    @ParameterizedTest
    @ValueSource(strings = {"my redis", "a/b", "user@host", ":::", "[::1", "::1]:6379", "my_redis:6379:", "host?x"})
    void invalidHostsAreRejected(String host) {
        assertThat(problems(hosts(Map.of("rate-limit.redis.host", host))))
                .isEqualTo("REDIS_HOST=" + (host.matches(".*[@/].*") ? "(not shown)" : host)
                        + ": a host name or address; a URL goes into REDIS_HOSTS, a password into REDIS_PASSWORD");
    }

    /** Quarkus would use them in place of REDIS_HOSTS, whose checks they would evade. */
    @Test
    void hostsOfQuarkusAreRejected() {
        assertThat(problems(hosts(Map.of("quarkus.redis.rate-limit.hosts", "redis://:secret@h:1"))))
                .isEqualTo("quarkus.redis.rate-limit.hosts=(not shown): not in the service: set REDIS_HOSTS instead");
    }

    @Test
    void invalidUrlsAreRejected() {
        for (var url : new String[]{"redis://my_redis:port", "redis://my_redis:1:2", "redis://", "http://my_redis",
                "redis://h:99999",
                "redis://h:6379/abc", "rediss://h/-1"}) {
            assertThat(problems(hosts(Map.of("rate-limit.redis.hosts", url)))).as(url).contains("REDIS_HOSTS=(not shown)");
        }
    }
}
