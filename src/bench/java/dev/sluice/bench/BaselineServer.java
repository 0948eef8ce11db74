package dev.sluice.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;

import dev.sluice.testing.RedisTestServer;
import io.vertx.core.AbstractVerticle;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerOptions;

/**
 * Baseline of {@code POST /v1/check}: a Vert.x server process that parses the JSON of a check and sends a response with as many
 * headers and an equally long body, without a decision.
 */
final class BaselineServer implements AutoCloseable {

    private final Process process;
    private final int port;

    private BaselineServer(Process process, int port) {
        this.process = process;
        this.port = port;
    }

    static BaselineServer start() {
        try {
            var java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
            int port = RedisTestServer.freePort();
            var process = new ProcessBuilder(java, "-Xmx512m", "-cp", System.getProperty("java.class.path"),
                    BaselineServer.class.getName(), Integer.toString(port)).redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            var output = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.US_ASCII));
            if (output.readLine() == null) {
                throw new IllegalStateException("the baseline server did not start");
            }
            return new BaselineServer(process, port);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    int port() {
        return port;
    }

    double cpuMicros() {
        return BenchmarkEnvironment.cpuMicros(process.toHandle());
    }

    @Override
    public void close() {
        process.destroy();
    }

    /** Listens on the given port, with as many event loops as Quarkus has, and then prints a line. */
    public static void main(String[] arguments) {
        var vertx = Vertx.vertx();
        int port = Integer.parseInt(arguments[0]);
        int loops = 2 * Runtime.getRuntime().availableProcessors();
        Future.all(IntStream.range(0, loops).mapToObj(i -> vertx.deployVerticle(new Loop(port))).toList())
                .onSuccess(all -> System.out.println("listening")).onFailure(failure -> {
                    failure.printStackTrace();
                    System.exit(1);
                });
    }

    private static final class Loop extends AbstractVerticle {

        private static final List<String> HEADERS = List.of("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset",
                "RateLimit-Policy", "RateLimit");
        private static final List<CharSequence> NAMES = HEADERS.stream().map(HttpHeaders::createOptimized).toList();

        private final int port;

        Loop(int port) {
            this.port = port;
        }

        @Override
        public void start(Promise<Void> started) {
            vertx.createHttpServer(new HttpServerOptions().setHost("127.0.0.1").setPort(port))
                    .requestHandler(request -> request.bodyHandler(body -> {
                        var check = body.toJsonObject();
                        var response = request.response().putHeader(HttpHeaders.CONTENT_TYPE, "application/json");
                        for (var name : NAMES) {
                            response.putHeader(name, "\"bench\";q=1000;w=60");
                        }
                        response.end(Buffer.buffer("{\"allowed\":true,\"limit\":" + check.getLong("limit")
                                + ",\"remaining\":999,\"reset_at\":\"2026-11-28T05:48:00Z\",\"retry_after\":null}"));
                    })).listen().<Void>mapEmpty().onComplete(started);
        }
    }
}
