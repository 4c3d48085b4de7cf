# frozen_string_literal: true

# The JSON types that Mastodon adds to those of Rails: bodies of these types
# are parsed as JSON. Versions on the newer Rails have one more.
json = %w[text/x-json application/jsonrequest application/jrd+json application/activity+json application/ld+json]
json << 'application/problem+json' if Rails::VERSION::MAJOR > 6
Mime::Type.register 'application/json', :json, json
