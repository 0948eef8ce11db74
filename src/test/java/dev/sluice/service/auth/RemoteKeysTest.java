package dev.sluice.service.auth;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.Test;

import dev.sluice.identity.KeysUnavailableException;
import dev.sluice.testing.SigningKey;
import io.smallrye.jwt.auth.principal.JWTAuthContextInfo;
import io.vertx.core.Future;
import io.vertx.core.Promise;

/** The test sets the time, and answers each fetch itself. */
class RemoteKeysTest {

    private static final Duration LIFETIME = Duration.ofHours(1);
    private static final Duration MIN_INTERVAL = Duration.ofSeconds(30);
    private static final SigningKey FIRST = new SigningKey("first");
    private static final SigningKey SECOND = new SigningKey("second");

    private final List<Promise<KeyDocument>> fetches = new ArrayList<>();
    private long now = Long.MAX_VALUE - TimeUnit.MINUTES.toNanos(1); // overflows during the test
    private final RemoteKeys keys = new RemoteKeys("http://issuer.example/jwks", () -> {
        Promise<KeyDocument> fetch = Promise.promise();
        fetches.add(fetch);
        return fetch.future();
    }, text -> new FetchedKeys(text, new JWTAuthContextInfo()), LIFETIME, MIN_INTERVAL, () -> now);

    private void elapse(Duration time) {
        now += time.toNanos();
    }

    private void answer(SigningKey... current) {
        answer(null, SigningKey.jwks(current));
    }

    private void answer(String cacheControl, String document) {
        fetches.get(fetches.size() - 1).complete(new KeyDocument(document, cacheControl));
    }

    private void fail() {
        fetches.get(fetches.size() - 1).fail("refused");
    }

    private static void assertUnavailable(Future<Void> required) {
        assertThat(required.isComplete()).isTrue();
        assertThat(required.cause()).isInstanceOf(KeysUnavailableException.class);
    }

    @Test
    void allRequestsWaitForOneFetch() {
        keys.refresh();
        var waiting = new ArrayList<Future<Void>>();
        for (int i = 0; i < 100; i++) {
            waiting.add(keys.require("first"));
        }
        keys.refresh();
        assertThat(fetches).hasSize(1);
        assertThat(waiting).noneMatch(Future::isComplete);
        answer(FIRST);
        assertThat(waiting).allMatch(Future::succeeded);
        assertThat(keys.require("first").succeeded()).isTrue();
        assertThat(fetches).hasSize(1);
    }

    @Test
    void withoutKeysRequestsFailAndAreNotRepeatedAtOnce() {
        var waiting = keys.require("first");
        fail();
        assertUnavailable(waiting);
        assertUnavailable(keys.require("first"));
        assertThat(fetches).hasSize(1);
        elapse(RemoteKeys.RETRY_WITHOUT_KEYS);
        keys.refresh();
        assertThat(fetches).as("repeated without a request").hasSize(2);
        var next = keys.require(null);
        answer(FIRST);
        assertThat(next.succeeded()).isTrue();
    }

    @Test
    void failedRefreshKeepsTheKeys() {
        keys.refresh();
        answer(FIRST);
        for (int day = 0; day < 30; day++) {
            elapse(Duration.ofDays(1));
            keys.refresh();
            if (day % 3 == 0) {
                fail();
            } else {
                answer(null, day % 3 == 1 ? "<html>Not here</html>" : "{\"keys\":[]}");
            }
            assertThat(keys.require("first").succeeded()).isTrue();
        }
        assertThat(fetches).hasSize(31);
        assertThat(keys.current().count()).isEqualTo(1);
        keys.refresh();
        elapse(MIN_INTERVAL.minusNanos(1));
        keys.refresh();
        assertThat(fetches).as("not repeated before the minimum interval").hasSize(31);
        elapse(Duration.ofNanos(1));
        keys.refresh();
        answer(SECOND);
        assertThat(keys.current().lacks("first")).isTrue();
    }

    @Test
    void keysAreKeptWhileTheyAreFetchedAgain() {
        keys.refresh();
        answer(FIRST);
        elapse(LIFETIME);
        keys.refresh();
        assertThat(fetches).hasSize(2);
        assertThat(keys.require("first").succeeded()).as("does not wait").isTrue();
        assertThat(keys.require(null).succeeded()).isTrue();
    }

    @Test
    void unknownKeyIsFetchedAtMostOnceInAnInterval() {
        keys.refresh();
        answer(FIRST);
        for (int interval = 1; interval <= 3; interval++) {
            for (int i = 0; i < 100; i++) {
                assertThat(keys.require("invented" + i).succeeded()).as("verification rejects it").isTrue();
            }
            assertThat(fetches).hasSize(interval);
            elapse(MIN_INTERVAL);
            var waiting = List.of(keys.require("second"), keys.require("invented"));
            assertThat(waiting).noneMatch(Future::isComplete);
            assertThat(keys.require("first").succeeded()).as("does not wait for the key of another token").isTrue();
            assertThat(fetches).hasSize(interval + 1);
            answer(FIRST);
            assertThat(waiting).allMatch(Future::succeeded);
        }
        elapse(MIN_INTERVAL);
        var rotated = keys.require("second");
        answer(FIRST, SECOND);
        assertThat(rotated.succeeded()).isTrue();
        assertThat(keys.current().lacks("second")).isFalse();
    }

    @Test
    void unknownKeyIsUnavailableIfItCannotBeFetched() {
        keys.refresh();
        answer(FIRST);
        elapse(MIN_INTERVAL);
        var waiting = keys.require("second");
        fail();
        assertUnavailable(waiting);
        assertUnavailable(keys.require("second"));
        assertThat(keys.require("first").succeeded()).isTrue();
    }

    @Test
    void lifetimeIsThatOfTheResponseWithinBounds() {
        assertLifetime(null, LIFETIME);
        assertLifetime("no-store", LIFETIME);
        assertLifetime("max-age=0", LIFETIME);
        assertLifetime("public, s-maxage=5, max-age=600", Duration.ofMinutes(10));
        assertLifetime("Max-Age=5", RemoteKeys.MIN_LIFETIME);
        assertLifetime("max-age=999999999", RemoteKeys.MAX_LIFETIME);
    }

    private void assertLifetime(String cacheControl, Duration expected) {
        elapse(Duration.ofDays(2));
        keys.refresh();
        int before = fetches.size();
        answer(cacheControl, SigningKey.jwks(FIRST));
        elapse(expected.minusNanos(1));
        keys.refresh();
        assertThat(fetches).as(cacheControl).hasSize(before);
        elapse(Duration.ofNanos(1));
        keys.refresh();
        assertThat(fetches).as(cacheControl).hasSize(before + 1);
        answer(FIRST);
    }

    @Test
    void fetcherThatThrowsIsAFailedFetch() {
        var broken = new RemoteKeys("http://issuer.example/jwks", () -> {
            throw new IllegalStateException("broken");
        }, text -> null, LIFETIME, MIN_INTERVAL, () -> now);
        assertUnavailable(broken.require("first"));
        elapse(RemoteKeys.RETRY_WITHOUT_KEYS);
        assertUnavailable(broken.require("first"));
    }
}
