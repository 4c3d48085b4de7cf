# frozen_string_literal: true

module Auth
  # Row 5: an unconfirmed person may change the address without a password.
  class SetupController < ApplicationController
    before_action :authenticate_user!
    before_action { redirect_to root_path if current_user.confirmed? }

    def show
      @user = current_user
    end

    def update
      @user = current_user
      if @user.update(params.require(:user).permit(:email))
        redirect_to auth_setup_path
      else
        render :show
      end
    end
  end
end
