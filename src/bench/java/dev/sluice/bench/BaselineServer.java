package dev.sluice.bench;

import java.util.List;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;

/**
 * Baseline of {@code POST /v1/check}: a Vert.x server process that parses the JSON of a check and sends a response with as many
 * headers and an equally long body, without a decision.
 */
final class BaselineServer {

    private static final List<String> HEADERS = List.of("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset",
            "RateLimit-Policy", "RateLimit");
    private static final List<CharSequence> NAMES = HEADERS.stream().map(HttpHeaders::createOptimized).toList();

    private BaselineServer() {
    }

    static ServerProcess start() {
        return ServerProcess.java(BaselineServer.class);
    }

    public static void main(String[] arguments) {
        BareServer.listen(Integer.parseInt(arguments[0]), vertx -> request -> request.bodyHandler(body -> {
            var check = body.toJsonObject();
            var response = request.response().putHeader(HttpHeaders.CONTENT_TYPE, "application/json");
            for (var name : NAMES) {
                response.putHeader(name, "\"bench\";q=1000;w=60");
            }
            response.end(Buffer.buffer("{\"allowed\":true,\"limit\":" + check.getLong("limit")
                    + ",\"remaining\":999,\"reset_at\":\"2026-11-28T05:48:00Z\",\"retry_after\":null}"));
        }));
    }
}
