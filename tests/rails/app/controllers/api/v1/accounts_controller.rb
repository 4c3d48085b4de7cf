# frozen_string_literal: true

module Api
  module V1
    # Row 8: sign-up by an app.
    class AccountsController < Api::BaseController
      before_action -> { doorkeeper_authorize! :write, :'write:accounts' }, only: :create

      def index
        render json: Account.order(:id).limit(40)
      end

      def show
        render json: Account.find(params[:id])
      end

      def create
        user = sign_up
        token = Doorkeeper::AccessToken.create!(application_id: doorkeeper_token.application_id, resource_owner_id: user.id,
                                                scopes: doorkeeper_token.application.scopes.to_s, expires_in: nil)
        response.headers['Cache-Control'] = 'no-store'
        render json: { access_token: token.token, token_type: 'Bearer', scope: token.scopes.to_s, created_at: token.created_at.to_i }
      rescue ActiveRecord::RecordInvalid => e
        render json: SignUpFault.new(e.record).as_json, status: :unprocessable_entity
      end

      private

      def sign_up
        given = params.permit(:username, :email, :password, :agreement, :locale, :reason, :time_zone, :invite_code, :date_of_birth)
        User.create!(email: given[:email], password: given[:password], agreement: given[:agreement], locale: given[:locale],
                     invite_code: given[:invite_code], sign_up_ip: request.remote_ip, via: 'api',
                     created_by_application_id: doorkeeper_token.application_id, account_attributes: { username: given[:username] })
      end
    end
  end
end
