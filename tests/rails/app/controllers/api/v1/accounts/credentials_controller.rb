# frozen_string_literal: true

module Api
  module V1
    module Accounts
      # The person behind a token.
      class CredentialsController < Api::BaseController
        before_action -> { doorkeeper_authorize! :read, :'read:accounts', :profile }
        before_action :require_user!

        def show
          source = { privacy: 'public', sensitive: false, language: nil, note: '', fields: [], follow_requests_count: 0 }
          render json: current_user.account.as_json.merge(source: source)
        end
      end
    end
  end
end
