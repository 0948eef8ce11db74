package dev.sluice.service.api.transfer;

import java.util.List;

import org.jboss.logging.Logger;

import dev.sluice.api.StoreUnavailableException;
import dev.sluice.directory.IdentityKind;
import dev.sluice.directory.IdentityPage;
import dev.sluice.directory.IdentityQuery;
import dev.sluice.directory.IdentityStore;
import dev.sluice.http.ErrorResponse;
import dev.sluice.service.edge.ResponseAbort;
import dev.sluice.service.edge.ServiceErrors;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.RoutingContext;

/**
 * Export of one request: reads the next page when the client has taken the one before, so that memory does not depend on the number
 * of identities. Everything happens on the event loop of the request.
 */
final class ExportSession {

    /** Media type of the body, as of the import. */
    static final String NDJSON = "application/x-ndjson";

    private static final Logger LOG = Logger.getLogger(ExportSession.class);
    private static final int PAGE = 200;
    /** Those that others refer to come first. */
    private static final List<IdentityKind> KINDS = List.of(IdentityKind.ORG, IdentityKind.TEAM, IdentityKind.USER,
            IdentityKind.KEY);

    private final RoutingContext context;
    private final IdentityStore store;

    ExportSession(RoutingContext context, IdentityStore store) {
        this.context = context;
        this.store = store;
    }

    /** Responds with all identities. */
    void start() {
        read(0, null);
    }

    /** @param after null for the first page of the kind */
    private void read(int kind, String after) {
        if (context.response().closed()) {
            return;
        }
        store.list(new IdentityQuery(KINDS.get(kind), null, null, null, null, "", PAGE, after)).subscribe()
                .with(page -> write(kind, page), this::fail);
    }

    private void write(int kind, IdentityPage page) {
        var response = context.response();
        if (response.closed()) {
            return;
        }
        if (!response.headWritten()) {
            response.setChunked(true).putHeader(HttpHeaders.CONTENT_TYPE, NDJSON).putHeader(HttpHeaders.CACHE_CONTROL,
                    "no-store");
        }
        var lines = Buffer.buffer();
        page.identities().forEach(identity -> lines.appendString(IdentityLine.encode(identity)).appendByte((byte) '\n'));
        if (lines.length() > 0) {
            response.write(lines);
        }
        int nextKind = page.next() == null ? kind + 1 : kind;
        if (nextKind == KINDS.size()) {
            response.end();
        } else if (response.writeQueueFull()) {
            response.drainHandler(drained -> {
                response.drainHandler(null);
                read(nextKind, page.next());
            });
        } else {
            read(nextKind, page.next());
        }
    }

    /** An export that is cut must not look like a complete one. */
    private void fail(Throwable failure) {
        if (!(failure instanceof StoreUnavailableException)) {
            LOG.error("The export failed", failure);
        }
        if (context.response().headWritten()) {
            ResponseAbort.abort(context.request());
        } else if (!context.response().closed()) {
            (failure instanceof StoreUnavailableException ? ErrorResponse.storeUnavailable() : ServiceErrors.forStatus(500))
                    .send(context);
        }
    }
}
