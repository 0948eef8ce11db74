package dev.sluice.llm.client;

import jakarta.inject.Singleton;

import org.eclipse.microprofile.config.inject.ConfigProperty;

import dev.sluice.policy.Callers;
import io.quarkus.arc.Arc;
import io.quarkus.vertx.http.runtime.CurrentVertxRequest;
import io.smallrye.mutiny.Uni;

/** Finds out on whose behalf a model is called. */
@Singleton
class ModelCallers {

    private final Callers callers;
    private final CurrentVertxRequest current;
    private final ModelCaller application;

    ModelCallers(Callers callers, CurrentVertxRequest current,
            @ConfigProperty(name = "quarkus.application.name", defaultValue = "application") String application) {
        this.callers = callers;
        this.current = current;
        this.application = new ModelCaller("app:" + application, null);
    }

    /**
     * Who it is: this user, otherwise the caller of the HTTP request in progress, otherwise the application. To be asked on
     * the thread that makes the call.
     *
     * @param user null or blank where none is named
     * @param tier null or blank where none is named
     */
    Uni<ModelCaller> of(String user, String tier) {
        var said = tier == null || tier.isBlank() ? null : tier;
        if (user != null && !user.isBlank()) {
            return Uni.createFrom().item(ModelCaller.user(user, said));
        }
        var request = Arc.container().requestContext().isActive() ? current.getCurrent() : null;
        return request == null
                ? Uni.createFrom().item(application.in(said))
                : callers.of(request)
                        .map(caller -> new ModelCaller(caller.identity().identifier(), caller.tier()).in(said));
    }
}
