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
    private static final List<FaultProxy> PROXIES = Stream.generate(() -> new FaultProxy(VERTX, REDIS.port())).limit(3).toList();
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
    void heal() {
        PROXIES.forEach(FaultProxy::heal);
    }

    private static FaultScenario ordeal(String name) {
        return new FaultScenario(name, fleet);
    }

    @Test
    void slowButInTime() throws Exception {
        ordeal("50 ms slower").losing().bound(FaultScenario.EXACT).run(() -> PROXIES.forEach(proxy -> proxy.delay(50)),
                () -> PROXIES.forEach(proxy -> proxy.delay(0)));
    }

    @Test
    void tooSlow() throws Exception {
        ordeal("3 s slower").run(() -> PROXIES.forEach(proxy -> proxy.delay(3000)),
                () -> PROXIES.forEach(proxy -> proxy.delay(0)));
    }

    @Test
    void silent() throws Exception {
        ordeal("silent, its connections dead for ever").lasting(Duration.ofSeconds(10))
                .run(() -> PROXIES.forEach(FaultProxy::silence), () -> PROXIES.forEach(FaultProxy::speak));
    }

    @Test
    void refused() throws Exception {
        ordeal("connections refused").run(() -> PROXIES.forEach(FaultProxy::refuse), () -> PROXIES.forEach(FaultProxy::accept));
    }

    @Test
    void oneInstanceIsCutOff() throws Exception {
        ordeal("one instance cut off").losing(1).run(() -> PROXIES.get(1).refuse(), () -> PROXIES.get(1).accept());
    }

    @Test
    void oneInstanceReceivesNothing() throws Exception {
        ordeal("one instance hears nothing").losing(2).run(() -> PROXIES.get(2).silence(), () -> PROXIES.get(2).speak());
    }
}
