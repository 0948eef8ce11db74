package dev.sluice.llm.pricing.load;

import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

import dev.sluice.fetch.DocumentFetcher;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpClientOptions;

/** Price list at an https URL. The certificate is verified, and redirects to another scheme are not followed. */
final class PriceUrl {

    private static final Duration TIMEOUT = Duration.ofSeconds(60);
    /** In addition to the time limit of the fetcher, which should always end first. */
    private static final Duration GRACE = Duration.ofSeconds(30);

    private final DocumentFetcher fetcher;

    /** @param options TLS settings */
    PriceUrl(Vertx vertx, URI location, HttpClientOptions options, int maxBytes) {
        fetcher = new DocumentFetcher(vertx, location, options, new DocumentFetcher.Bounds(TIMEOUT, "", maxBytes),
                "application/json, */*;q=0.8", null, 0);
    }

    /**
     * Waits for the document; must not be called on an event loop.
     *
     * @throws IOException with a message that can be shown, if there is no complete response of status 200
     */
    byte[] read() throws IOException, InterruptedException {
        try {
            return fetcher.fetch().toCompletionStage().toCompletableFuture()
                    .get(TIMEOUT.plus(GRACE).toSeconds(), TimeUnit.SECONDS).toBytes();
        } catch (ExecutionException e) {
            var cause = e.getCause();
            throw new IOException(cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage(), cause);
        } catch (TimeoutException e) {
            throw new IOException("no complete response", e);
        }
    }

    void close() {
        fetcher.close();
    }
}
