package dev.sluice.service.llm;

import java.time.Clock;
import java.util.List;
import java.util.Set;

import jakarta.annotation.PreDestroy;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;

import org.jboss.logging.Logger;

import dev.sluice.llm.limit.AdmittedCall;
import dev.sluice.llm.limit.LlmLimiter;
import dev.sluice.llm.protocol.LlmRequest;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.ProviderOperation;
import dev.sluice.llm.protocol.ProviderOperation.Kind;
import dev.sluice.llm.protocol.ProviderOperation.Shape;
import dev.sluice.llm.protocol.UsageExtractor;
import io.quarkus.runtime.StartupEvent;
import io.vertx.core.Future;
import io.vertx.core.Vertx;

/**
 * Settles calls whose response is generated in the background: when a later request reports its end, or as estimated when the
 * reservation has left its windows and no request has. The ledger books each once, by the id of its response. Thread-safe.
 */
@ApplicationScoped
class DeferredCalls {

    private static final Logger LOG = Logger.getLogger(DeferredCalls.class);

    private static final long SWEEP_MILLIS = 60_000;
    private static final Set<String> OPEN = Set.of("queued", "in_progress");
    private static final String FAILED = "failed";
    private static final String RESPONSE_PREFIX = "resp_";

    private final StoredResponses responses;
    private final LlmLimiter limiter;
    private final Clock clock = Clock.systemUTC();
    private volatile Runnable stop = () -> {
    };

    DeferredCalls(StoredResponses responses, LlmLimiter limiter) {
        this.responses = responses;
        this.limiter = limiter;
    }

    void start(@Observes StartupEvent started, Vertx vertx) {
        long timer = vertx.setPeriodic(SWEEP_MILLIS, id -> sweep(clock.millis()));
        stop = () -> vertx.cancelTimer(timer);
    }

    /** In dev mode, Vert.x outlives the application. */
    @PreDestroy
    void stop() {
        stop.run();
    }

    /**
     * Returns what ends a call: of OpenAI's Responses, it remembers the caller as the owner of the response as soon as its id is
     * known, and defers the call if the response is not complete. Responses that are not stored are not remembered.
     *
     * @param owner identifier of the caller; null if the provider's account is the caller's own
     * @param request null if the body is not parsed
     */
    UsageMeter.Deferral onCreated(String owner, ProviderOperation operation, LlmRequest request) {
        boolean kept = operation.shape() == Shape.RESPONSES && request != null
                && (request.stored() || request.background() || !request.references().isEmpty());
        if (!kept) {
            return UsageMeter.Deferral.NONE;
        }
        boolean background = request.background(); // the rest of the request is released before the response ends
        var references = request.references();
        return new UsageMeter.Deferral() {

            private boolean remembered;
            private boolean deferred;

            @Override
            public void onProgress(AdmittedCall call, UsageExtractor extractor) {
                if (!remembered && owner != null && extractor.storedId() != null) {
                    remembered = true;
                    remember(call.provider(), extractor.storedId(), new StoredResponse(owner, null), references);
                }
            }

            @Override
            public boolean defer(AdmittedCall call, UsageExtractor extractor) {
                extractor.end();
                onProgress(call, extractor);
                if (!deferred && background && extractor.storedId() != null && OPEN.contains(extractor.storedStatus())) {
                    var pending = call.defer();
                    deferred = pending.isPresent();
                    pending.ifPresent(deferredCall -> responses.remember(
                            StoredResponses.hash(call.provider(), extractor.storedId()),
                            new StoredResponse(owner == null ? "" : owner, deferredCall), clock.millis()));
                }
                return deferred;
            }
        };
    }

    private void remember(Provider provider, String id, StoredResponse response, List<String> references) {
        responses.remember(StoredResponses.hash(provider, id), response, clock.millis());
        references.stream().filter(DeferredCalls::isConversation)
                .forEach(conversation -> rememberConversation(provider, conversation, response));
    }

    private static boolean isConversation(String reference) {
        return !reference.startsWith(RESPONSE_PREFIX) && !StoredResponses.UUID.matcher(reference).matches();
    }

    /** The first caller that continues a conversation is its owner. */
    private void rememberConversation(Provider provider, String id, StoredResponse response) {
        var hash = StoredResponses.hash(provider, id);
        responses.find(hash).onSuccess(known -> {
            if (known == null) {
                responses.remember(hash, response, clock.millis());
            }
        });
    }

    /**
     * Checks that a request concerns no response or conversation of another caller.
     *
     * @param owner identifier of the caller
     * @param path the path from the version on
     * @param request null if the body is not parsed
     * @return fails with {@link CallRejectedException}; for ids that are not known, if it requests them
     */
    Future<Void> checkOwner(String owner, Provider provider, ProviderOperation operation, String path, LlmRequest request) {
        if (operation.kind() == Kind.STORED) {
            var id = ProviderOperation.storedResponse(path);
            return responses.find(StoredResponses.hash(provider, id)).recover(failure -> Future.failedFuture(
                    new CallRejectedException(503, "The owner of the response is not known now; try again later", failure)))
                    .compose(response -> response != null && response.owner().equals(owner)
                            ? Future.succeededFuture()
                            : Future.failedFuture(new CallRejectedException(404, "Response with id '" + id + "' not found.")));
        }
        var result = Future.<Void>succeededFuture();
        for (var id : request == null ? List.<String>of() : request.references()) {
            result = result.compose(done -> responses.find(StoredResponses.hash(provider, id)).otherwiseEmpty()
                    .compose(response -> response == null || response.owner().equals(owner)
                            ? Future.succeededFuture()
                            : Future.failedFuture(
                                    new CallRejectedException(404,
                                            "Response or conversation with id '" + id + "' not found."))));
        }
        return result;
    }

    /**
     * Settles the call of a response whose state a request has returned, if it has ended.
     *
     * @param extractor has received the whole response
     */
    void onState(Provider provider, String id, UsageExtractor extractor) {
        var status = extractor.storedStatus();
        if (status == null || OPEN.contains(status) || !id.equals(extractor.storedId())) {
            return;
        }
        var hash = StoredResponses.hash(provider, id);
        responses.find(hash).onSuccess(response -> {
            if (response == null || response.pending() == null) {
                return;
            }
            if (extractor.usage() == null && status.equals(FAILED)) {
                limiter.releaseDeferred(response.pending());
            } else {
                limiter.settleDeferred(response.pending(), hash, extractor.usage(), extractor.details(), extractor.model());
            }
            responses.settle(hash, response);
        });
    }

    /** Books the call of a response that has been deleted as it was reserved, unless its end has been reported. */
    void onDeleted(Provider provider, String id) {
        expire(StoredResponses.hash(provider, id));
    }

    /** Books calls whose end no request has reported as they were reserved. */
    Future<Void> sweep(long nowMillis) {
        var own = Future.<Void>succeededFuture();
        for (var hash = responses.pollDue(nowMillis); hash != null; hash = responses.pollDue(nowMillis)) {
            var due = hash;
            own = own.compose(done -> expire(due));
        }
        return own.compose(done -> responses.findDue(nowMillis)).compose(hashes -> {
            var all = Future.<Void>succeededFuture();
            for (var hash : hashes) {
                all = all.compose(done -> expire(hash));
            }
            return all;
        });
    }

    private Future<Void> expire(String hash) {
        return responses.reload(hash).map(response -> {
            if (response == null) {
                responses.forgetDue(hash);
                return null;
            }
            if (response.pending() != null) {
                limiter.settleDeferred(response.pending(), hash, null, null, null);
            }
            responses.settle(hash, response);
            return (Void) null;
        }).recover(failure -> { // one that cannot be booked must not hold up the others
            LOG.warn("A response in the background could not be booked", failure);
            return Future.succeededFuture();
        });
    }
}
