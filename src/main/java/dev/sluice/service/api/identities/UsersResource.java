package dev.sluice.service.api.identities;

import jakarta.ws.rs.Path;

import dev.sluice.directory.IdentityKind;
import dev.sluice.http.ServiceEndpoint;
import dev.sluice.service.api.EndpointAuthorization;

/** Admin endpoints of users. */
@ServiceEndpoint
@Path("/v1/users")
public class UsersResource extends NamedIdentities {

    UsersResource(IdentityEndpoint endpoint, EndpointAuthorization authorization) {
        super(IdentityKind.USER, endpoint, authorization);
    }
}
