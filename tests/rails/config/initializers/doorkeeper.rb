# frozen_string_literal: true

# What Mastodon 4.1 sets: reused tokens that never expire, the password grant,
# confidential apps made by anybody.
Doorkeeper.configure do
  orm :active_record
  enable_application_owner

  resource_owner_authenticator { current_user || redirect_to(new_user_session_path) }
  resource_owner_from_credentials do |_routes|
    user = User.find_for_database_authentication(email: params[:username].to_s)
    user if user&.valid_password?(params[:password].to_s)
  end

  authorization_code_expires_in 10.minutes
  access_token_expires_in nil
  reuse_access_token
  enforce_configured_scopes
  default_scopes :read
  optional_scopes :write, :follow, :push, :profile,
                  :'read:accounts', :'read:statuses', :'write:accounts', :'write:statuses', :'write:media',
                  :'admin:read', :'admin:write'
  grant_flows %w[authorization_code password client_credentials]
  force_ssl_in_redirect_uri false
  forbid_redirect_uri { |uri| %w[data vbscript javascript].include?(uri.scheme.to_s.downcase) }
  skip_authorization { |_owner, client| client.application.superapp? }
  base_controller 'ApplicationController'
  base_metal_controller 'ActionController::API'
end

Rails.application.config.to_prepare do
  ActiveRecord::Base # Doorkeeper defines its models once this is loaded
  Doorkeeper::Application.include ApplicationExtension
end
