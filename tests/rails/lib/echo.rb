# frozen_string_literal: true

# Tells what Rails read, instead of running the action, for a request with the
# header X-Test-Echo: the judge that the gate's own reading is compared with.
#
# Values are given twice: `parameters` as plain JSON, and `typed` as pairs in
# which a text can't be mistaken for a number and the order of keys is kept.
module Echo
  PERMITTED = {
    'Auth::RegistrationsController#create' => [:user, %i[email password password_confirmation invite_code agreement website confirm_password], { account_attributes: %i[username display_name], invite_request_attributes: [:text] }],
    'Auth::RegistrationsController#update' => [:user, %i[email password password_confirmation current_password]],
    'Auth::SetupController#update' => [:user, %i[email]],
    'Auth::ConfirmationsController#create' => [:user, %i[email]],
    'Auth::SessionsController#create' => [:user, %i[email password otp_attempt remember_me]],
    'Api::V1::AccountsController#create' => [nil, %i[username email password agreement locale reason time_zone invite_code date_of_birth]],
    'Api::V1::Emails::ConfirmationsController#create' => [nil, %i[email]],
    'Api::V1::AppsController#create' => [nil, [:client_name, :scopes, :website, :redirect_uris], { redirect_uris: [] }],
    'Api::V1::Accounts::EmailSubscriptionsController#create' => [nil, %i[email]],
    'Settings::ApplicationsController#create' => [:doorkeeper_application, [:name, :redirect_uri, :scopes, :website], { scopes: [] }],
    'Settings::ApplicationsController#update' => [:doorkeeper_application, [:name, :redirect_uri, :scopes, :website], { scopes: [] }],
    'Doorkeeper::ApplicationsController#create' => [:doorkeeper_application, [:name, :redirect_uri, :scopes, :website], { scopes: [] }],
    'Doorkeeper::ApplicationsController#update' => [:doorkeeper_application, [:name, :redirect_uri, :scopes, :website], { scopes: [] }],
    'Oauth::TokensController#create' => [nil, %i[grant_type client_id client_secret code redirect_uri scope username password code_verifier]],
    'Oauth::AuthorizationsController#new' => [nil, %i[client_id redirect_uri response_type scope state force_login]],
    'Oauth::AuthorizationsController#create' => [nil, %i[client_id redirect_uri response_type scope state force_login]],
    'InvitesController#create' => [:invite, %i[max_uses expires_in autofollow comment]]
  }.freeze

  # In front of every controller, Doorkeeper's bare ones included.
  module Dispatch
    def dispatch(name, request, response)
      reached = Journal.reached!(request.env, self.class.name, name)
      return super unless request.get_header('HTTP_X_TEST_ECHO')

      told = JSON.generate(Echo.of(request, reached))
      headers = { 'content-type' => 'application/json', 'x-test-reached' => reached }
      headers['x-test-echo'] = [told].pack('m0') if request.head? # its body is cut on the way out
      [200, headers, [told]]
    end
  end

  def self.of(request, reached)
    digest = body_digest(request)
    parameters = request.parameters
    {
      action: reached, method: request.request_method, path: request.path, target: request.get_header('REQUEST_URI'),
      remote_ip: request.remote_ip, scheme: request.scheme, host: request.host_with_port,
      headers: headers(request), body: digest,
      parameters: plain(parameters), typed: typed(parameters),
      permitted: permitted(reached, parameters),
      mailbox: mailbox(reached, parameters),
      bearer: Doorkeeper::OAuth::Token.from_request(request, *Doorkeeper.config.access_token_methods),
      client: client(request)
    }
  rescue StandardError => e # what the action itself would meet
    { action: reached, fault: e.class.name, body: digest }
  end

  # Before Rails reads it: some parsers leave the input at its end.
  def self.body_digest(request)
    input = request.get_header('rack.input')
    return { bytes: 0, sha256: Digest::SHA256.hexdigest('') } unless input

    input.rewind if input.respond_to?(:rewind)
    digest = Digest::SHA256.new
    bytes = 0
    while (chunk = input.read(65_536))
      bytes += chunk.bytesize
      digest << chunk
    end
    input.rewind if input.respond_to?(:rewind)
    { bytes: bytes, sha256: digest.hexdigest }
  end

  def self.headers(request)
    request.env.select { |key, value| value.is_a?(String) && (key.start_with?('HTTP_') || %w[CONTENT_TYPE CONTENT_LENGTH].include?(key)) }
           .transform_values { |value| value.dup.force_encoding('UTF-8').scrub }
  end

  def self.plain(value)
    case value
    when Hash then value.transform_values { |inner| plain(inner) }
    when Array then value.map { |inner| plain(inner) }
    when String, Numeric, true, false, nil then value
    else { '__file' => value.respond_to?(:original_filename) ? value.original_filename.to_s : value.class.name }
    end
  end

  def self.typed(value)
    case value
    when Hash then ['map', value.map { |key, inner| [key.to_s, typed(inner)] }]
    when Array then ['list', value.map { |inner| typed(inner) }]
    when String then ['text', value]
    when Numeric then ['number', value.to_s]
    when true, false then ['bool', value]
    when nil then ['null']
    else ['file']
    end
  end

  def self.permitted(reached, parameters)
    root, scalars, nested = PERMITTED[reached]
    return unless scalars

    params = ActionController::Parameters.new(parameters.except('controller', 'action', 'format'))
    params = params[root] if root
    return unless params.is_a?(ActionController::Parameters)

    typed(params.permit(*scalars, *[nested].compact).to_h)
  end

  # The address that the action would take, if it takes one.
  def self.mailbox(reached, parameters)
    root, scalars, = PERMITTED[reached]
    return unless scalars&.include?(:email)

    email = root ? (parameters[root].is_a?(Hash) ? parameters[root]['email'] : nil) : parameters['email']
    Mailbox.of(email) if email.is_a?(String) || email.is_a?(Numeric)
  end

  def self.client(request)
    credentials = Doorkeeper::OAuth::Client::Credentials.from_request(request, *Doorkeeper.config.client_credentials_methods)
    credentials && { uid: credentials.uid, secret: credentials.secret }
  end
end

ActiveSupport.on_load(:action_controller) { ActionController::Metal.prepend(Echo::Dispatch) }
