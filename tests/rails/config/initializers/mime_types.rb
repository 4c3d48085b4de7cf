# frozen_string_literal: true

# The JSON types that Mastodon adds to those of Rails: bodies of these types
# are parsed as JSON.
Mime::Type.register 'application/json', :json,
                    %w[text/x-json application/jsonrequest application/jrd+json application/activity+json application/ld+json]
