package dev.sluice.service.alerts;

import java.net.URI;
import java.util.Map;

import org.jspecify.annotations.Nullable;

import io.vertx.core.Future;

/** Sends a POST request. */
@FunctionalInterface
interface WebhookTransport {

    /**
     * Response of a receiver.
     *
     * @param status status code
     * @param retryAfter field {@code Retry-After}; null if it is missing
     */
    record WebhookResponse(int status, @Nullable String retryAfter) {
    }

    /**
     * Sends a request.
     *
     * @param anywhere whether the URL may lead to internal addresses, as that of the settings may
     * @return fails, within seconds, if there is no response
     */
    Future<WebhookResponse> post(URI url, boolean anywhere, Map<String, String> headers, String body);
}
