package dev.sluice.faults;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import dev.sluice.testing.faults.FaultProxy;
import dev.sluice.testing.faults.FaultScenario;
import dev.sluice.testing.faults.InstanceGroup;
import dev.sluice.testing.faults.RedisNode;
import io.vertx.core.Vertx;

/** Faults of the network between the instances and Redis. */
class NetworkFaults {

    private static final Vertx VERTX = Vertx.vertx();
    private static final RedisNode REDIS = RedisNode.server();
    private static final List<FaultProxy> PROXIES = Stream.generate(() -> new FaultProxy(VERTX, REDIS.port())).limit(3)
            .toList();
    private static InstanceGroup fleet;

    @BeforeAll
    static void start() {
        fleet = new InstanceGroup(number -> Map.of("REDIS_HOST", "127.0.0.1", "REDIS_PORT",
                Integer.toString(PROXIES.get(number).port())));
    }

    @AfterAll
    static void stop() {
        fleet.close();
        PROXIES.forEach(FaultProxy::close);
        VERTX.close().toCompletionStage().toCompletableFuture().join();
        REDIS.close();
    }

    @AfterEach
    void reset() {
        PROXIES.forEach(FaultProxy::reset);
    }

    private static FaultScenario scenario(String name) {
        return new FaultScenario(name, fleet);
    }

    @Test
    void slowerWithinTheTimeout() throws Exception {
        scenario("50 ms slower").affecting().bound(FaultScenario.EXACT_BOUND).run(
                () -> PROXIES.forEach(proxy -> proxy.delay(50)),
                () -> PROXIES.forEach(proxy -> proxy.delay(0)));
    }

    @Test
    void slowerThanTheTimeout() throws Exception {
        scenario("3 s slower").run(() -> PROXIES.forEach(proxy -> proxy.delay(3000)),
                () -> PROXIES.forEach(proxy -> proxy.delay(0)));
    }

    @Test
    void dataDropped() throws Exception {
        scenario("silent, its connections permanently dead").duration(Duration.ofSeconds(10))
                .run(() -> PROXIES.forEach(FaultProxy::startBlackholing), () -> PROXIES.forEach(FaultProxy::stopBlackholing));
    }

    @Test
    void connectionsRefused() throws Exception {
        scenario("connections refused").run(() -> PROXIES.forEach(FaultProxy::stopListening),
                () -> PROXIES.forEach(FaultProxy::startListening));
    }

    @Test
    void oneInstanceIsCutOff() throws Exception {
        scenario("one instance isolated").affecting(1).run(() -> PROXIES.get(1).stopListening(),
                () -> PROXIES.get(1).startListening());
    }

    @Test
    void oneInstanceIsBlackholed() throws Exception {
        scenario("one instance receives nothing").affecting(2).run(() -> PROXIES.get(2).startBlackholing(),
                () -> PROXIES.get(2).stopBlackholing());
    }
}
