package dev.sluice.llm.limit;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;

import jakarta.inject.Inject;

import org.junit.jupiter.api.Test;

import dev.sluice.engine.StoreConfig;
import dev.sluice.llm.policy.LimitKind;
import dev.sluice.redis.RedisProvider;
import dev.sluice.testing.RedisTestResource;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;

/** Windows of reservations, which an instance keeps for all others. */
@QuarkusTest
@WithTestResource(RedisTestResource.class)
class DetachedReservationsTest {

    private static final String RESERVATION = "r-0123456789abcdef0123456789abcdef-60-3600";
    private static final ReservedWindows WINDOWS = new ReservedWindows(List.of("user:é|\"", "team:a"),
            Map.of("llm:tokens", LimitKind.TOKENS, "llm:budget/gpt-4*", LimitKind.BUDGET));

    @Inject
    RedisProvider redis;
    @Inject
    StoreConfig settings;

    private Response send(Request request) {
        return redis.connectionManager().send(request).toCompletionStage().toCompletableFuture().join();
    }

    private ReservedWindows find() {
        return new DetachedReservations(redis, settings).find(RESERVATION).await().indefinitely();
    }

    @Test
    void windowsAreKnownToOtherInstancesAsLongAsTheyHaveTheReservation() {
        var key = redis.hashTags().keyPrefix(RESERVATION) + "v:" + RESERVATION;
        send(Request.cmd(Command.DEL).arg(key));
        assertThat(find()).isNull();
        var instance = new DetachedReservations(redis, settings);
        instance.add(RESERVATION, WINDOWS).await().indefinitely();
        assertThat(find()).isEqualTo(WINDOWS);
        assertThat(send(Request.cmd(Command.TTL).arg(key)).toLong()).isBetween(3000L, 3600L);
        send(Request.cmd(Command.SET).arg(key).arg("foreign"));
        assertThat(find()).isNull();
        assertThat(instance.find(RESERVATION).await().indefinitely()).isEqualTo(WINDOWS);
        send(Request.cmd(Command.DEL).arg(key));
    }
}
