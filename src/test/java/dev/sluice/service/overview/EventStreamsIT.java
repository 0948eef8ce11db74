package dev.sluice.service.overview;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Map;
import java.util.stream.IntStream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

import dev.sluice.testing.Instance;
import dev.sluice.testing.Polling;
import dev.sluice.testing.RawHttpConnection;

/** Event streams of the packaged program, whose connections are reset while the streams open. */
@Execution(ExecutionMode.CONCURRENT)
class EventStreamsIT {

    private static final String REQUEST = "GET /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer admin\r\n\r\n";

    private static void reset(int port) {
        try (var connection = new RawHttpConnection(port)) {
            connection.send(REQUEST);
            connection.abort();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Returns how many streams can be open at once, up to the maximum. */
    private static int open(int port) throws IOException {
        var connections = new ArrayList<RawHttpConnection>();
        try {
            while (connections.size() < EventStreams.MAX_STREAMS) {
                var connection = new RawHttpConnection(port);
                connections.add(connection);
                connection.send(REQUEST);
                if (!connection.readLine().contains(" 200 ")) {
                    return connections.size() - 1;
                }
            }
            return connections.size();
        } finally {
            for (var connection : connections) {
                connection.close();
            }
        }
    }

    @Test
    void resetConnectionsLeaveNoStreams() throws InterruptedException {
        try (var sluice = Instance.start(Map.of("REDIS_ENABLED", "false", "RATE_LIMIT_ADMIN_TOKEN", "admin"))) {
            var threads = IntStream.range(0, 4)
                    .mapToObj(i -> new Thread(() -> IntStream.range(0, 300).forEach(reset -> reset(sluice.port())))).toList();
            threads.forEach(Thread::start);
            for (var thread : threads) {
                thread.join();
            }
            Polling.await().untilAsserted(() -> assertThat(open(sluice.port())).isEqualTo(EventStreams.MAX_STREAMS));
        }
    }
}
