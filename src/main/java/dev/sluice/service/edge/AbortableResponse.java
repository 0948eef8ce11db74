package dev.sluice.service.edge;

import io.quarkus.vertx.http.runtime.filters.AbstractResponseWrapper;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;

/**
 * An answer that may be cut off. Vert.x tells nobody of an HTTP/1 answer that is reset or closed, only of a connection that is:
 * who counts the requests under way, as a shutdown does, would wait for it for ever.
 */
public final class AbortableResponse extends AbstractResponseWrapper {

    private final HttpServerRequest request;

    public AbortableResponse(HttpServerRequest request) {
        super(request.response());
        this.request = request;
    }

    /** @return whether there was anything to cut off */
    public static boolean cut(HttpServerRequest request) {
        if (request.version() == HttpVersion.HTTP_2) {
            return request.response().reset();
        }
        if (request.response().ended()) {
            return false;
        }
        request.connection().close();
        return true;
    }

    @Override
    public boolean reset() {
        return cut(request);
    }

    @Override
    public boolean reset(long code) {
        return cut(request);
    }
}
