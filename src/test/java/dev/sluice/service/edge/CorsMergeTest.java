package dev.sluice.service.edge;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import dev.sluice.llm.config.TestProviders;
import dev.sluice.service.config.ServiceConfig;
import io.smallrye.config.SmallRyeConfigBuilder;
import io.vertx.core.MultiMap;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;

/** Responses of the upstream keep their own CORS fields, once each, and expose the rate limit headers. */
class CorsMergeTest {

    private static final String ADDED = "X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, X-RateLimit-Mode,"
            + " X-RateLimit-Dry-Run, RateLimit, RateLimit-Policy, Retry-After";

    private final Vertx vertx = Vertx.vertx();

    @AfterEach
    void close() {
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }

    private static Cors cors(Map<String, String> settings) {
        var config = new SmallRyeConfigBuilder().withMapping(ServiceConfig.class).addDiscoveredConverters()
                .withValidateUnknown(false);
        settings.forEach(config::withDefaultValue);
        return new Cors(config.build().getConfigMapping(ServiceConfig.class),
                new ReservedPaths(TestProviders.builtIn(), false));
    }

    /** Forwards a response with these headers; returns those that the client receives. */
    private MultiMap forward(Map<String, String> settings, MultiMap upstream) {
        var cors = cors(settings);
        var received = new CompletableFuture<MultiMap>();
        var server = vertx.createHttpServer().requestHandler(request -> {
            cors.addTo(request);
            cors.merge(request, upstream);
            request.response().headers().addAll(upstream);
            request.response().end();
        }).listen(0, "127.0.0.1").toCompletionStage().toCompletableFuture().join();
        vertx.createHttpClient().request(HttpMethod.GET, server.actualPort(), "127.0.0.1", "/")
                .compose(request -> request.putHeader("Origin", "https://app.example").send())
                .onSuccess(response -> received.complete(response.headers())).onFailure(received::completeExceptionally);
        return received.join();
    }

    private MultiMap forward(MultiMap upstream) {
        return forward(Map.of("rate-limit.cors.origins", "https://app.example", "rate-limit.cors.credentials", "true"),
                upstream);
    }

    private static MultiMap headers() {
        return HttpHeaders.headers();
    }

    @Test
    void fieldsOfTheUpstreamAreKept() {
        var received = forward(headers().add("Access-Control-Allow-Origin", "https://other.example").add("Vary", "Accept"));
        assertThat(received.getAll("Access-Control-Allow-Origin")).containsExactly("https://other.example");
        assertThat(received.getAll("Vary")).containsExactly("Accept");
        assertThat(received.contains("Access-Control-Allow-Credentials")).isFalse();
        assertThat(received.getAll("Access-Control-Expose-Headers")).containsExactly(ADDED);
    }

    @Test
    void noneAreAddedIfTheUpstreamHasNone() {
        var received = forward(headers().add("X-Other", "x"));
        assertThat(received.names().stream().filter(name -> name.toLowerCase().startsWith("access-control-"))).isEmpty();
        assertThat(received.contains("Vary")).isFalse();
    }

    @Test
    void exposedNamesAreMerged() {
        var received = forward(headers().add("Access-Control-Allow-Origin", "*")
                .add("Access-Control-Expose-Headers", "X-Mine, retry-after").add("Access-Control-Expose-Headers", "RateLimit"));
        assertThat(received.getAll("Access-Control-Expose-Headers")).containsExactly("X-Mine, retry-after, RateLimit,"
                + " X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, X-RateLimit-Mode, X-RateLimit-Dry-Run,"
                + " RateLimit-Policy");
        assertThat(forward(headers().add("Access-Control-Allow-Origin", "*").add("Access-Control-Expose-Headers", "*"))
                .getAll("Access-Control-Expose-Headers")).containsExactly("*");
    }

    @Test
    void nothingChangesWithoutOrigins() {
        var received = forward(Map.of(), headers().add("Access-Control-Allow-Origin", "*").add("Vary", "Origin"));
        assertThat(received.getAll("Access-Control-Allow-Origin")).isEqualTo(List.of("*"));
        assertThat(received.contains("Access-Control-Expose-Headers")).isFalse();
        assertThat(received.getAll("Vary")).containsExactly("Origin");
    }
}
