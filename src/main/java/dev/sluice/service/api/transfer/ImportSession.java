package dev.sluice.service.api.transfer;

import java.util.ArrayDeque;
import java.util.HashSet;
import java.util.Queue;
import java.util.Set;

import org.jboss.logging.Logger;

import dev.sluice.api.StoreUnavailableException;
import dev.sluice.http.ErrorResponse;
import dev.sluice.http.RequestRefusedException;
import dev.sluice.service.api.BadRequestException;
import dev.sluice.service.edge.ServiceErrors;
import dev.sluice.service.token.AdminAccess;
import io.smallrye.mutiny.Uni;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.RoutingContext;

/**
 * Import of one request. Reads the next part of the body when all lines of the part before are being stored, so that memory does not
 * depend on the size of the body. Everything happens on the event loop of the request.
 */
final class ImportSession {

    private static final Logger LOG = Logger.getLogger(ImportSession.class);
    private static final int MAX_IN_FLIGHT = 32;
    private static final ErrorResponse TOO_LONG = ErrorResponse.badRequest("line",
            "The line is longer than " + LineSplitter.MAX_LINE + " bytes");

    private final RoutingContext context;
    private final HttpServerRequest request;
    private final IdentityImporter importer;
    private final IdentityImporter.Mode mode;
    private final AdminAccess access;
    private final LineSplitter splitter = new LineSplitter();
    private final Queue<LineSplitter.Line> waiting = new ArrayDeque<>();
    private final ImportReport report = new ImportReport();
    /** Identifiers of the identities that are being stored. Lines of one identity are stored in their order. */
    private final Set<String> active = new HashSet<>();
    /** Next line to store; null if it has not been read yet. */
    private IdentityLine next;
    private long nextNumber;
    private boolean running;
    private boolean bodyEnded;
    private boolean awaitsBody;
    /** Set if the last check of the time already waited for the part that is now awaited. */
    private boolean overdue;
    private boolean finished;
    /** Set when the begin is in the audit log, and when the end is. */
    private boolean began;
    private boolean ended;

    ImportSession(RoutingContext context, IdentityImporter importer, IdentityImporter.Mode mode, AdminAccess access) {
        this.context = context;
        this.request = context.request();
        this.importer = importer;
        this.mode = mode;
        this.access = access;
    }

    /**
     * Imports the body of the request, which is paused, and responds.
     *
     * @param timeoutMillis maximum time to wait for a part of the body
     */
    void start(long timeoutMillis) {
        long timer = context.vertx().setPeriodic(timeoutMillis, id -> checkTime());
        context.addEndHandler(ended -> {
            finished = true;
            context.vertx().cancelTimer(timer);
        });
        importer.record(access, "import.begin", null).subscribe().with(recorded -> read(), failure -> onFailure(0, failure));
    }

    private void read() {
        began = true;
        if (request.isEnded()) {
            onBodyEnd();
            return;
        }
        request.handler(this::onPart);
        request.exceptionHandler(disconnected -> {
            finished = true;
            recordEnd();
        });
        request.endHandler(end -> onBodyEnd());
        fetch();
    }

    /** Aborts if no part has arrived since the last call. */
    private void checkTime() {
        if (awaitsBody && overdue) {
            abort(ErrorResponse.of(408, "RATE_4081", "Request body not received in time"));
        }
        overdue = awaitsBody;
    }

    private void onBodyEnd() {
        bodyEnded = true;
        awaitsBody = false;
        splitter.end(waiting::add);
        run();
    }

    private void fetch() {
        awaitsBody = true;
        request.fetch(1);
    }

    private void onPart(Buffer part) {
        awaitsBody = false;
        overdue = false;
        if (!finished) {
            splitter.split(part, waiting::add);
            run();
        }
    }

    /** Starts lines as long as there is room. A line that completes at once does not call this again. */
    private void run() {
        if (running) {
            return;
        }
        running = true;
        while (!finished && active.size() < MAX_IN_FLIGHT && readNext() && !active.contains(next.identifier())) {
            begin(next, nextNumber);
            next = null;
        }
        running = false;
        if (finished) {
            recordEnd();
            return;
        }
        if (bodyEnded && next == null && waiting.isEmpty() && active.isEmpty()) {
            finished = true;
            var response = context.response();
            recordEnd().subscribe().with(recorded -> {
                if (!response.closed()) {
                    response.putHeader(HttpHeaders.CONTENT_TYPE, ErrorResponse.JSON).end(report.toJson().encode());
                }
            });
        } else if (!bodyEnded && !awaitsBody && next == null && waiting.isEmpty() && active.size() < MAX_IN_FLIGHT) {
            fetch();
        }
    }

    /** Records the end once, when no line is being stored any more. Never fails: the begin is recorded. */
    private Uni<Void> recordEnd() {
        if (!began || ended || !active.isEmpty()) {
            return Uni.createFrom().voidItem();
        }
        ended = true;
        var recorded = importer.record(access, "import.end", report.counts())
                .onFailure()
                .invoke(failure -> LOG.warnf("The end of an import could not be recorded: %s", failure.getMessage()))
                .onFailure().recoverWithNull().memoize().indefinitely();
        recorded.subscribe().with(done -> {
        });
        return recorded;
    }

    /** Reads the next line that is valid, unless there is one already; returns whether there is one. */
    private boolean readNext() {
        while (next == null && !waiting.isEmpty()) {
            var line = waiting.remove();
            try {
                if (line.bytes() == null) {
                    throw new RequestRefusedException(TOO_LONG);
                }
                next = importer.read(line.bytes());
                nextNumber = line.number();
            } catch (RuntimeException e) {
                onFailure(line.number(), e);
            }
        }
        return next != null;
    }

    private void begin(IdentityLine line, long number) {
        active.add(line.identifier());
        importer.store(line, mode).subscribe().with(changed -> {
            if (changed) {
                report.countImported();
            } else {
                report.countUnchanged();
            }
            onLineEnd(line);
        }, failure -> {
            onFailure(number, failure);
            onLineEnd(line);
        });
    }

    private void onLineEnd(IdentityLine line) {
        active.remove(line.identifier());
        run();
    }

    private void onFailure(long line, Throwable failure) {
        if (failure instanceof StoreUnavailableException) {
            abort(new ErrorResponse(503, "RATE_5002", "The rate limit store is unavailable; the import can be repeated",
                    report.toJson().put("line", line), JsonObject::new));
        } else if (failure instanceof RequestRefusedException refused) {
            report.fail(line, refused.errorResponse());
        } else {
            LOG.errorf(failure, "A line could not be imported: line=%d", line);
            report.fail(line, ServiceErrors.forStatus(500));
        }
    }

    /** Responds with an error, and drops what follows of the body. */
    private void abort(ErrorResponse error) {
        if (finished) {
            return;
        }
        finished = true;
        waiting.clear();
        discardBody(context);
        error.send(context);
        recordEnd();
    }

    /**
     * Drops the rest of a body whose response is an error. An HTTP/1 connection is closed at its end: closing it earlier could lose
     * the response.
     */
    static void discardBody(RoutingContext context) {
        var request = context.request();
        if (request.isEnded()) {
            return;
        }
        if (request.version() != HttpVersion.HTTP_2) {
            context.response().putHeader(HttpHeaders.CONNECTION, HttpHeaders.CLOSE);
            request.endHandler(dropped -> request.connection().close());
        }
        request.handler(dropped -> {
        });
        request.resume();
    }

    /**
     * Reads the query parameter {@code mode}.
     *
     * @param text null for the default
     */
    static IdentityImporter.Mode mode(String text) {
        if (text == null || text.equals("replace")) {
            return IdentityImporter.Mode.REPLACE;
        } else if (text.equals("create")) {
            return IdentityImporter.Mode.CREATE;
        }
        throw BadRequestException.forField("mode", "mode must be replace, or create to leave existing identities as they are");
    }
}
