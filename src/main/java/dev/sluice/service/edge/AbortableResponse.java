package dev.sluice.service.edge;

import io.quarkus.vertx.http.runtime.filters.AbstractResponseWrapper;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;

/**
 * Response that can be aborted. Vert.x does not run the handlers of an HTTP/1 response that is reset or closed, only those of a
 * closed connection: a graceful shutdown, which counts requests in flight, would never complete. See
 * <a href="https://github.com/eclipse-vertx/vert.x/issues/5271">vert.x#5271</a>.
 */
public final class AbortableResponse extends AbstractResponseWrapper {

    private final HttpServerRequest request;

    public AbortableResponse(HttpServerRequest request) {
        super(request.response());
        this.request = request;
    }

    /**
     * Aborts the response: resets the HTTP/2 stream or closes the HTTP/1 connection.
     *
     * @return whether there was anything to abort
     */
    public static boolean abort(HttpServerRequest request) {
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
        return abort(request);
    }

    @Override
    public boolean reset(long code) {
        return abort(request);
    }
}
